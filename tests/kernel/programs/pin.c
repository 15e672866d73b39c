/* pin LEAVE_MIB: takes memory until MemFree is below LEAVE_MIB, hands every fourth page to a pipe and gives the others
 * back.
 *
 * Free memory is then three quarters of what was taken, in runs of three pages. A page in a pipe has one reference more
 * than it has mappings: the kernel cannot move it, so compaction cures nothing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)
#define MOST_MIB 65536UL
#define PERIOD 4UL
#define PIPE_PAGES 256UL

static unsigned long free_mib(void)
{
    unsigned long kib = 0;
    FILE *meminfo = fopen("/proc/meminfo", "r");

    if (!meminfo || fscanf(meminfo, "MemTotal: %*u kB MemFree: %lu", &kib) != 1)
        exit(1);
    fclose(meminfo);
    return kib / 1024;
}

/* Puts one page into the pipe of the moment; a new pipe follows a full one and stays open. */
static void pin(void *address, size_t page)
{
    static unsigned long pinned;
    static int ends[2];
    struct iovec one = {address, page};

    if (pinned++ % PIPE_PAGES == 0 && (pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, (int)(PIPE_PAGES * page)) < 0))
        exit(1);
    if (vmsplice(ends[1], &one, 1, 0) != (ssize_t)page)
        exit(1);
}

int main(int argc, char **argv)
{
    unsigned long leave = argc > 1 ? strtoul(argv[1], NULL, 10) : 16;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), taken = 0;
    char *memory = mmap(NULL, MOST_MIB * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED || madvise(memory, MOST_MIB * MIB, MADV_NOHUGEPAGE))
        return 1;
    while (free_mib() >= leave && taken < MOST_MIB * MIB)
        for (size_t end = taken + MIB; taken < end; taken += page)
            memory[taken] = 1;
    for (size_t number = 0; number < taken / page; number++)
        if (number % PERIOD == 0)
            pin(memory + number * page, page);
        else if (madvise(memory + number * page, page, MADV_DONTNEED))
            return 1;
    for (;;)
        pause();
}
