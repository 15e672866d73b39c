/* cold MIB: fills that much memory, has the kernel swap all of it out, and never touches it again. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)

int main(int argc, char **argv)
{
    unsigned long bytes = argc > 1 ? strtoul(argv[1], NULL, 10) * MIB : 0;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE))
        return 1;
    memset(memory, 1, bytes);
    if (madvise(memory, bytes, MADV_PAGEOUT))
        return 1;
    for (;;)
        pause();
}
