/* wander [-f FILE] [-m MIB] [-r TOUCHES_PER_SECOND]: touches pages at random for ever, as a busy service does its data.
 *
 * The pages are those of FILE, mapped and only read, as by a database that maps its data, or else MIB of anonymous
 * memory, filled first and then written to: written, since a page that was only read again need not be swapped out again.
 * Without a rate, or with one below 20, it touches as fast as it can.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)
#define TICKS_PER_SECOND 20UL

static unsigned long page;

/* Advances a xorshift64 generator (Marsaglia 2003) and returns its new state. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static volatile char *mapped(const char *path, unsigned long *bytes)
{
    struct stat status;
    int file = open(path, O_RDONLY);
    char *memory;

    if (file < 0 || fstat(file, &status))
        exit(1);
    *bytes = (unsigned long)status.st_size;
    memory = mmap(NULL, *bytes, PROT_READ, MAP_SHARED, file, 0);
    /* One page a fault: read-around would bring 31 others, and turn a fault into a long read. */
    if (memory == MAP_FAILED || madvise(memory, *bytes, MADV_RANDOM))
        exit(1);
    return memory;
}

static volatile char *filled(unsigned long bytes)
{
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE))
        exit(1);
    for (unsigned long offset = 0; offset < bytes; offset += page)
        ((volatile char *)memory)[offset] = 1;
    return memory;
}

int main(int argc, char **argv)
{
    const struct timespec tick = {.tv_nsec = 1000000000L / TICKS_PER_SECOND};
    const char *path = NULL;
    unsigned long bytes = 0, rate = 0;
    uint64_t state = 88172645463325252UL ^ (uint64_t)getpid() << 32;
    volatile char *memory;
    int option;

    page = (unsigned long)sysconf(_SC_PAGESIZE);
    while ((option = getopt(argc, argv, "f:m:r:")) != -1) {
        if (option == 'f')
            path = optarg;
        else if (option == 'm')
            bytes = strtoul(optarg, NULL, 10) * MIB;
        else if (option == 'r')
            rate = strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    memory = path ? mapped(path, &bytes) : filled(bytes);
    rate /= TICKS_PER_SECOND;
    for (unsigned long touched = 1;; touched++) {
        volatile char *place = memory + next(&state) % (bytes / page) * page;

        if (path)
            (void)*place;
        else
            ++*place;
        if (rate && touched % rate == 0)
            nanosleep(&tick, NULL);
    }
}
