/* huge: asks for a transparent huge page ten times a second, as a busy heap does, and gives it back.
 *
 * Where none is free the kernel falls back to single pages and counts it in thp_fault_fallback.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#define HUGE_BYTES (2UL * 1024UL * 1024UL)

int main(void)
{
    struct timespec step = {.tv_nsec = 100000000L};

    for (;;) {
        char *memory = mmap(NULL, 2 * HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
            return 1;
        *(char *)(((uintptr_t)memory + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1)) = 1;
        munmap(memory, 2 * HUGE_BYTES);
        nanosleep(&step, NULL);
    }
}
