/* burst [-m MIB] [-p PAUSE_MS]: takes MIB, touches it and gives it back, for ever with a pause between: as a service
 * whose requests need memory for a moment.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)

int main(int argc, char **argv)
{
    unsigned long bytes = 8 * MIB, pause_ms = 300, page = (unsigned long)sysconf(_SC_PAGESIZE);
    struct timespec pause;
    int option;

    while ((option = getopt(argc, argv, "m:p:")) != -1) {
        if (option == 'm')
            bytes = strtoul(optarg, NULL, 10) * MIB;
        else if (option == 'p')
            pause_ms = strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    pause = (struct timespec){.tv_sec = (time_t)(pause_ms / 1000), .tv_nsec = (long)(pause_ms % 1000) * 1000000L};
    for (;;) {
        volatile char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED || madvise((void *)memory, bytes, MADV_NOHUGEPAGE))
            return 1;
        for (unsigned long offset = 0; offset < bytes; offset += page)
            memory[offset] = 1;
        munmap((void *)memory, bytes);
        nanosleep(&pause, NULL);
    }
}
