/* huge [HELD]: asks for a transparent huge page twice a second, as a busy heap does, and gives it back.
 *
 * Where none is free the kernel falls back to single pages and counts it in thp_fault_fallback. The few huge pages of
 * the DMA zone, which fragment leaves whole, would always serve it: it takes HELD first and holds them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define HUGE_BYTES (2UL * 1024UL * 1024UL)
#define DEFAULT_HELD 8UL

/* Returns a mapping in which `pages` aligned huge pages were touched, or MAP_FAILED. */
static char *take(unsigned long pages)
{
    char *memory = mmap(NULL, (pages + 1) * HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *aligned = (char *)(((uintptr_t)memory + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1));

    for (unsigned long page = 0; memory != MAP_FAILED && page < pages; page++)
        *(volatile char *)(aligned + page * HUGE_BYTES) = 1;
    return memory;
}

int main(int argc, char **argv)
{
    unsigned long pages = argc > 1 ? strtoul(argv[1], NULL, 10) : DEFAULT_HELD;
    const struct timespec half_a_second = {.tv_nsec = 500000000L};
    char *held = take(pages);

    /* From now on khugepaged, which would compact on its own, leaves them as they are. */
    if (held == MAP_FAILED || madvise(held, (pages + 1) * HUGE_BYTES, MADV_NOHUGEPAGE))
        return 1;
    for (;;) {
        char *memory = take(1);

        if (memory == MAP_FAILED)
            return 1;
        munmap(memory, 2 * HUGE_BYTES);
        nanosleep(&half_a_second, NULL);
    }
}
