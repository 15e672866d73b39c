/* fragment LEAVE_MIB: takes memory until MemFree is below LEAVE_MIB, gives two pages of five back, holds the others.
 *
 * Free memory is then two fifths of what was taken, in single pages. The pages held are ordinary anonymous ones, which
 * the kernel may move: compaction cures it. Not every second page: the scanner of compaction looks for free pages in
 * steps of up to 32, so it finds none where all of them have odd numbers, and gives up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)
#define MOST_MIB 65536UL
#define PERIOD 5UL /* free, held, free, held, held */

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
    for (unsigned long number = 0; number < taken / page; number++)
        if ((number % PERIOD == 0 || number % PERIOD == 2) && madvise(memory + number * page, page, MADV_DONTNEED))
            return 1;
    for (;;)
        pause();
}
