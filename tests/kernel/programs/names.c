/* names DIRECTORY COUNT: asks for COUNT files that do not exist, each once, and waits.
 *
 * The kernel remembers every such answer in a negative dentry until it needs the memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    struct stat found;
    char name[32];

    if (argc < 2 || chdir(argv[1]))
        return 1;
    for (unsigned long number = 0; number < count; number++) {
        snprintf(name, sizeof(name), "missing-%lu", number);
        if (stat(name, &found) == 0)
            return 1;
    }
    for (;;)
        pause();
}
