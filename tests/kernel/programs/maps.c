/* maps MIB: touches MIB of memory and splits it into mappings of one page each until the kernel refuses another one
 * (vm.max_map_count), then tries again every second, as an allocator with guard pages does, and stays when it has all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)

int main(int argc, char **argv)
{
    size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 64) * MIB;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), guard = page;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return 1;
    memset(memory, 1, size);
    while (guard < size) {
        if (mprotect(memory + guard, page, PROT_READ) == 0)
            guard += 2 * page;
        else if (errno == ENOMEM)
            sleep(1);
        else
            return 1;
    }
    for (;;) /* the limit is higher than this memory has pages: it goes on with its work */
        pause();
}
