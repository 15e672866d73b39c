/* hold KIND AVAILABLE_PERCENT: takes memory that is in no heap while more than that is available, and again whenever
 * more is. KIND is where it lies:
 *
 * file:   written into a memfd, which is mapped nowhere
 * map:    touched in a memfd that is mapped
 * pipe:   written into pipes that nobody reads
 * socket: sent through pairs of sockets that nobody reads
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024L * 1024L)
#define MOST_MIB 65536L
#define DATAGRAM (64L * 1024L)

static char data[MIB];
static int memory = -1;
static long taken_mib;

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

static int open_memory(void)
{
    if (memory < 0)
        memory = memfd_create("arena", 0);
    return memory < 0 || ftruncate(memory, (taken_mib + 1) * MIB);
}

static int into_file(void)
{
    return open_memory() || pwrite(memory, data, MIB, taken_mib * MIB) != MIB;
}

static int into_map(void)
{
    static char *arena;

    if (open_memory())
        return 1;
    if (!arena)
        arena = mmap(NULL, MOST_MIB * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory, 0);
    if (arena == MAP_FAILED)
        return 1;
    memcpy(arena + taken_mib * MIB, data, MIB);
    return 0;
}

static int into_pipe(void)
{
    int ends[2];

    return pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, MIB) < 0 || write(ends[1], data, MIB) != MIB;
}

static int into_socket(void)
{
    int ends[2], room = 4 * MIB;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room))
        return 1;
    for (long sent = 0; sent < MIB; sent += DATAGRAM)
        if (write(ends[0], data, DATAGRAM) != DATAGRAM)
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    const struct {
        const char *kind;
        int (*take)(void);
    } kinds[] = {{"file", into_file}, {"map", into_map}, {"pipe", into_pipe}, {"socket", into_socket}};
    const struct timespec look = {.tv_nsec = 500000000L};
    unsigned long available = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
    int (*take)(void) = NULL;

    for (unsigned number = 0; argc > 2 && number < sizeof kinds / sizeof *kinds; number++)
        if (!strcmp(argv[1], kinds[number].kind))
            take = kinds[number].take;
    if (!take)
        return 2;
    memset(data, 1, sizeof data);
    for (;; nanosleep(&look, NULL))
        for (; kib("MemAvailable:") * 100 > kib("MemTotal:") * available; taken_mib++)
            if (take())
                return 1;
}
