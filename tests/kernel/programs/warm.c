/* warm SECONDS MIB NOISE_MIB: a cache that warms up. It grows evenly to MIB within SECONDS and then stays there; all the
 * time it gives up to NOISE_MIB of its memory back and takes them again, as a garbage collector does.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)
#define STEPS_PER_SECOND 4UL

static void touch(char *memory, unsigned long bytes)
{
    for (unsigned long offset = 0; offset < bytes; offset += 4096)
        ((volatile char *)memory)[offset] = 1;
}

int main(int argc, char **argv)
{
    const struct timespec step = {.tv_nsec = 1000000000L / STEPS_PER_SECOND};
    unsigned long steps = (argc > 3 ? strtoul(argv[1], NULL, 10) : 0) * STEPS_PER_SECOND;
    unsigned long most = (argc > 3 ? strtoul(argv[2], NULL, 10) : 0) * MIB;
    unsigned long noise = (argc > 3 ? strtoul(argv[3], NULL, 10) : 0) * MIB;
    char *memory = mmap(NULL, most + noise, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (!steps || memory == MAP_FAILED || madvise(memory, most + noise, MADV_NOHUGEPAGE))
        return 2;
    for (unsigned long number = 0;; number++) {
        if (number < steps)
            touch(memory + noise + most / steps * number, most / steps);
        if (madvise(memory, noise, MADV_DONTNEED))
            return 1;
        touch(memory, (unsigned long)rand() % (noise + 1));
        nanosleep(&step, NULL);
    }
}
