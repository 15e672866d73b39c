/* huge: asks for 8 transparent huge pages every second, as a busy heap does, and gives them back.
 *
 * Where none is free the kernel falls back to single pages and counts it in thp_fault_fallback.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#define HUGE_BYTES (2UL * 1024UL * 1024UL)
#define HUGE_PAGES 8UL /* more than the DMA zone has, which fragment leaves whole */

int main(void)
{
    const unsigned long bytes = (HUGE_PAGES + 1) * HUGE_BYTES;
    struct timespec pause = {.tv_sec = 1};

    for (;;) {
        char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        char *aligned = (char *)(((uintptr_t)memory + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1));

        if (memory == MAP_FAILED)
            return 1;
        for (unsigned long page = 0; page < HUGE_PAGES; page++)
            *(volatile char *)(aligned + page * HUGE_BYTES) = 1;
        munmap(memory, bytes);
        nanosleep(&pause, NULL);
    }
}
