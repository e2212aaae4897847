/*
 * Port instructions of x86 behind the C calling convention: all that ring3 needs in machine code.
 * No libc, no data, no relocations, so that one file loads on every libc; built by build.sh.
 * The thread needs the permission of ioperm(2); without it the first instruction is SIGSEGV.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

/* One access: 8 bytes, little-endian. `value` is written, or filled in by a read. */
struct op {
	u16 port;
	u8 size; /* 1, 2 or 4 bytes */
	u8 write;
	u32 value;
};

/* Does `count` accesses in order, each exactly once. */
int ring3_ports(struct op *op, int count)
{
	for (; count > 0; count--, op++) {
		u32 value = op->value;
		switch (op->write << 8 | op->size) {
		case 1:
			value = 0;
			__asm__ volatile("inb %w1, %b0" : "+a"(value) : "d"(op->port) : "memory");
			break;
		case 2:
			value = 0;
			__asm__ volatile("inw %w1, %w0" : "+a"(value) : "d"(op->port) : "memory");
			break;
		case 4:
			__asm__ volatile("inl %w1, %0" : "=a"(value) : "d"(op->port) : "memory");
			break;
		case 0x101:
			__asm__ volatile("outb %b0, %w1" : : "a"(value), "d"(op->port) : "memory");
			break;
		case 0x102:
			__asm__ volatile("outw %w0, %w1" : : "a"(value), "d"(op->port) : "memory");
			break;
		case 0x104:
			__asm__ volatile("outl %0, %w1" : : "a"(value), "d"(op->port) : "memory");
			break;
		default:
			return -1;
		}
		op->value = value;
	}
	return 0;
}

/* Reads one port `count` times into memory: `rep insb`, `insw`, `insl`. */
int ring3_ports_in(int port, int size, void *into, int count)
{
	long left = count;
	if (count <= 0)
		return 0; /* Even rep with a count of 0 needs the permission. */
	switch (size) {
	case 1:
		__asm__ volatile("rep insb" : "+D"(into), "+c"(left) : "d"(port) : "memory");
		return 0;
	case 2:
		__asm__ volatile("rep insw" : "+D"(into), "+c"(left) : "d"(port) : "memory");
		return 0;
	case 4:
		__asm__ volatile("rep insl" : "+D"(into), "+c"(left) : "d"(port) : "memory");
		return 0;
	}
	return -1;
}

/* Writes one port `count` times from memory. */
int ring3_ports_out(int port, int size, const void *from, int count)
{
	long left = count;
	if (count <= 0)
		return 0; /* Even rep with a count of 0 needs the permission. */
	switch (size) {
	case 1:
		__asm__ volatile("rep outsb" : "+S"(from), "+c"(left) : "d"(port) : "memory");
		return 0;
	case 2:
		__asm__ volatile("rep outsw" : "+S"(from), "+c"(left) : "d"(port) : "memory");
		return 0;
	case 4:
		__asm__ volatile("rep outsl" : "+S"(from), "+c"(left) : "d"(port) : "memory");
		return 0;
	}
	return -1;
}
