/* fill -a AVAILABLE_PERCENT [-s SWAP_FREE_PERCENT] [-k]: takes memory while more than that is available, or more than
 * that of the swap is free, then holds what it has and never touches it again; with -k it takes more whenever there is
 * more again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)
#define MOST_MIB 65536UL

/* Returns the value of a field of /proc/meminfo, in KiB. */
static unsigned long kib(const char *field)
{
    char line[128];
    unsigned long value = 0;
    FILE *meminfo = fopen("/proc/meminfo", "r");

    if (!meminfo)
        exit(1);
    while (fgets(line, sizeof line, meminfo))
        if (!strncmp(line, field, strlen(field)))
            value = strtoul(line + strlen(field), NULL, 10);
    fclose(meminfo);
    return value;
}

static int more_than(unsigned long available, unsigned long swap_free)
{
    return kib("MemAvailable:") * 100 > kib("MemTotal:") * available ||
           kib("SwapFree:") * 100 > kib("SwapTotal:") * swap_free;
}

int main(int argc, char **argv)
{
    const struct timespec look = {.tv_nsec = 500000000L};
    unsigned long available = 100, swap_free = 100, page = (unsigned long)sysconf(_SC_PAGESIZE), taken = 0;
    volatile char *memory;
    int option, keep = 0;

    while ((option = getopt(argc, argv, "a:s:k")) != -1) {
        if (option == 'a')
            available = strtoul(optarg, NULL, 10);
        else if (option == 's')
            swap_free = strtoul(optarg, NULL, 10);
        else if (option == 'k')
            keep = 1;
        else
            return 2;
    }
    memory = mmap(NULL, MOST_MIB * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || madvise((void *)memory, MOST_MIB * MIB, MADV_NOHUGEPAGE))
        return 1;
    do {
        while (taken < MOST_MIB * MIB && more_than(available, swap_free))
            for (unsigned long end = taken + MIB; taken < end; taken += page)
                memory[taken] = 1;
        nanosleep(&look, NULL);
    } while (keep);
    for (;;)
        pause();
}
