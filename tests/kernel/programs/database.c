/* database FILE HOT_MIB: maps FILE and reads it at random, nearly always in its first HOT_MIB, a hundred or two times a
 * second anywhere, as a database on mmap does.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define MIB (1024UL * 1024UL)
#define HOT_READS 200
#define COLD_READS 2

int main(int argc, char **argv)
{
    const struct timespec pause = {.tv_nsec = 10000000L};
    size_t hot = (argc > 2 ? strtoul(argv[2], NULL, 10) : 64) * MIB;
    int file = argc > 1 ? open(argv[1], O_RDONLY) : -1;
    struct stat about;

    if (file < 0 || fstat(file, &about))
        return 1;
    size_t size = (size_t)about.st_size;
    volatile const char *data = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);

    if (data == MAP_FAILED || hot > size || madvise((void *)data, size, MADV_RANDOM))
        return 1;
    for (;;) {
        for (int number = 0; number < HOT_READS; number++)
            (void)data[(size_t)random() % hot];
        for (int number = 0; number < COLD_READS; number++)
            (void)data[(size_t)random() % size];
        nanosleep(&pause, NULL);
    }
}
