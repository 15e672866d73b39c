/* ring MIB: holds the receive buffers of a packet socket (packet(7)), as a driver holds its own: pages that the kernel
 * counts nowhere. It captures nothing: it is bound to no interface that sends.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB (1024U * 1024U)
#define BLOCK (64U * 1024U)
#define FRAME 2048U

int main(int argc, char **argv)
{
    unsigned blocks = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) * (MIB / BLOCK) : 0;
    struct tpacket_req ring = {
        .tp_block_size = BLOCK, .tp_block_nr = blocks, .tp_frame_size = FRAME, .tp_frame_nr = blocks * (BLOCK / FRAME)};
    int capture = socket(AF_PACKET, SOCK_RAW, 0);

    if (capture < 0 || setsockopt(capture, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring))
        return 1;
    for (;;)
        pause();
}
