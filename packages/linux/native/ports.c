/*
 * Port instructions of x86 as functions of JavaScript, through Node-API: all that ring3 needs in machine code.
 * No libc and no headers, and no symbols but Node's own, so that one file loads on every libc; built by build.sh.
 * The thread needs the permission of ioperm(2); without it the first instruction is SIGSEGV.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

/* One access: 8 bytes, little-endian. `value` is written, or filled in by a read. */
struct op {
	u16 port;
	u8 size; /* 1, 2 or 4 bytes */
	u8 write;
	u32 value;
};

/* Does `count` accesses in order, each exactly once. */
static int ports(struct op *op, int count)
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
static int ports_in(int port, int size, void *into, int count)
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
static int ports_out(int port, int size, const void *from, int count)
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

/* Node-API, whose ABI is stable: https://nodejs.org/api/n-api.html. Objects are opaque pointers, 0 is success. */

typedef struct env *env;
typedef struct info *info;
typedef struct value *value;
typedef value (*function)(env, info);

enum { UINT8_ARRAY = 1, OK = 0, REFUSED = -1 };

extern int napi_get_cb_info(env, info, u64 *count, value *arguments, value *self, void **data);
extern int napi_get_value_int32(env, value, int *);
extern int napi_get_typedarray_info(env, value, int *type, u64 *length, void **data, value *buffer, u64 *offset);
extern int napi_create_int32(env, int, value *);
extern int napi_create_function(env, const char *name, u64 length, function, void *data, value *);
extern int napi_set_named_property(env, value object, const char *name, value);

/* A Uint8Array of at least `count` times `size` bytes; 0 for anything else. */
static void *bytes(env env, value array, int count, int size)
{
	int type;
	u64 length;
	void *data;
	if (napi_get_typedarray_info(env, array, &type, &length, &data, 0, 0) != OK)
		return 0;
	if (type != UINT8_ARRAY || count < 0 || length < (u64)count * (u64)size)
		return 0;
	return data;
}

static value result(env env, int status)
{
	value number = 0;
	napi_create_int32(env, status, &number);
	return number;
}

/* run(ops, count) */
static value run(env env, info info)
{
	u64 count = 2;
	value arguments[2];
	int ops;
	void *data;
	if (napi_get_cb_info(env, info, &count, arguments, 0, 0) != OK ||
	    napi_get_value_int32(env, arguments[1], &ops) != OK)
		return result(env, REFUSED);
	data = bytes(env, arguments[0], ops, sizeof(struct op));
	return result(env, data == 0 && ops != 0 ? REFUSED : ports(data, ops));
}

/* readRepeated(port, size, into, count), writeRepeated(port, size, from, count) */
static value repeated(env env, info info, int write)
{
	u64 count = 4;
	value arguments[4];
	int port, size, words;
	void *data;
	if (napi_get_cb_info(env, info, &count, arguments, 0, 0) != OK ||
	    napi_get_value_int32(env, arguments[0], &port) != OK ||
	    napi_get_value_int32(env, arguments[1], &size) != OK ||
	    napi_get_value_int32(env, arguments[3], &words) != OK)
		return result(env, REFUSED);
	data = bytes(env, arguments[2], words, size);
	if (data == 0 && words != 0)
		return result(env, REFUSED);
	return result(env, write ? ports_out(port, size, data, words) : ports_in(port, size, data, words));
}

static value read_repeated(env env, info info)
{
	return repeated(env, info, 0);
}

static value write_repeated(env env, info info)
{
	return repeated(env, info, 1);
}

static void add(env env, value exports, const char *name, u64 length, function function)
{
	value made;
	if (napi_create_function(env, name, length, function, 0, &made) == OK)
		napi_set_named_property(env, exports, name, made);
}

value napi_register_module_v1(env env, value exports)
{
	add(env, exports, "run", 3, run);
	add(env, exports, "readRepeated", 12, read_repeated);
	add(env, exports, "writeRepeated", 13, write_repeated);
	return exports;
}
