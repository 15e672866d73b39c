/* crowd PROCESSES MIB STRIDE_KIB: so many processes map one shared segment of MIB, each touches a page of it every
 * STRIDE_KIB, and waits: as the sessions of a database that maps its buffers with small pages.
 *
 * A page table of 4 KiB maps 2 MiB of the segment, for each process anew: with a stride of 2048 it costs as much as the
 * page that is touched, which all of them share.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define KIB 1024UL

int main(int argc, char **argv)
{
    unsigned long processes = argc > 3 ? strtoul(argv[1], NULL, 10) : 0;
    unsigned long bytes = argc > 3 ? strtoul(argv[2], NULL, 10) * KIB * KIB : 0;
    unsigned long stride = argc > 3 ? strtoul(argv[3], NULL, 10) * KIB : 0;
    volatile char *segment = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (!stride || segment == MAP_FAILED)
        return 1;
    for (unsigned long number = 1; number < processes; number++) {
        pid_t child = fork();

        if (child < 0)
            return 1;
        if (child == 0)
            break;
    }
    for (unsigned long offset = 0; offset < bytes; offset += stride)
        segment[offset] = 1;
    for (;;)
        pause();
}
