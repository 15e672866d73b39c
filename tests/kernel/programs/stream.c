/* stream FILE MIB_PER_SECOND: reads FILE from its begin to its end at that rate, again and again, as a backup does. */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)
#define STEPS_PER_SECOND 32UL

static char data[MIB];

int main(int argc, char **argv)
{
    const struct timespec step = {.tv_nsec = 1000000000L / STEPS_PER_SECOND};
    unsigned long part = argc > 2 ? strtoul(argv[2], NULL, 10) * MIB / STEPS_PER_SECOND : 0;
    int file = part ? open(argv[1], O_RDONLY) : -1;

    if (file < 0)
        return 1;
    for (;; nanosleep(&step, NULL))
        for (unsigned long got = 0; got < part;) {
            ssize_t length = read(file, data, part - got < MIB ? part - got : MIB);

            if (length < 0 || (length == 0 && lseek(file, 0, SEEK_SET) < 0))
                return 1;
            got += (unsigned long)length;
        }
}
