/* fragment LEAVE_MIB: takes memory until MemFree is below LEAVE_MIB, gives every second page back, holds the others.
 *
 * Free memory is then half of what was taken, in single pages. The pages held are ordinary anonymous ones, which the
 * kernel may move: compaction cures it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)
#define MOST_MIB 65536UL

static unsigned long free_mib(void)
{
    unsigned long kib = 0;
    FILE *meminfo = fopen("/proc/meminfo", "r");

    if (!meminfo || fscanf(meminfo, "MemTotal: %*u kB MemFree: %lu", &kib) != 1)
        exit(1);
    fclose(meminfo);
    return kib / 1024;
}

int main(int argc, char **argv)
{
    unsigned long leave = argc > 1 ? strtoul(argv[1], NULL, 10) : 16;
    unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE);
    unsigned long taken = 0;
    char *memory = mmap(NULL, MOST_MIB * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED || madvise(memory, MOST_MIB * MIB, MADV_NOHUGEPAGE))
        return 1;
    while (free_mib() >= leave && taken < MOST_MIB * MIB)
        for (unsigned long end = taken + MIB; taken < end; taken += page)
            memory[taken] = 1;
    for (unsigned long offset = 0; offset < taken; offset += 2 * page)
        if (madvise(memory + offset, page, MADV_DONTNEED))
            return 1;
    for (;;)
        pause();
}
