"""Real kernels in real trouble: Debian guests under qemu's software emulation, and the tests that need them."""
