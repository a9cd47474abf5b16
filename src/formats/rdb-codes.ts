/**
 * The numbers of the RDB format. Source: Redis 7.2.6, rdb.h.
 *
 * A file is `REDIS` and four decimal digits of the version; then items, each of which begins with one byte, an opcode or
 * the type of a value; then the opcode EOF and, from version 5 on, 8 bytes of CRC-64 over everything before them.
 */

/** The version that is written: Redis 7.0, 7.2 and Valkey read it (7.0 refuses 11). */
export const RDB_VERSION_WRITTEN = 10;
/** The newest version that is read. */
export const RDB_VERSION_MAX = 11;
/** From this version on a file ends with a checksum. */
export const RDB_VERSION_WITH_CHECKSUM = 5;

export const RDB_TYPE_STRING = 0;
export const RDB_TYPE_LIST = 1;
export const RDB_TYPE_SET = 2;
export const RDB_TYPE_ZSET = 3;
export const RDB_TYPE_HASH = 4;
export const RDB_TYPE_ZSET_2 = 5;
export const RDB_TYPE_MODULE = 6;
export const RDB_TYPE_MODULE_2 = 7;
export const RDB_TYPE_HASH_ZIPMAP = 9;
export const RDB_TYPE_LIST_ZIPLIST = 10;
export const RDB_TYPE_SET_INTSET = 11;
export const RDB_TYPE_ZSET_ZIPLIST = 12;
export const RDB_TYPE_HASH_ZIPLIST = 13;
export const RDB_TYPE_LIST_QUICKLIST = 14;
export const RDB_TYPE_STREAM_LISTPACKS = 15;
export const RDB_TYPE_HASH_LISTPACK = 16;
export const RDB_TYPE_ZSET_LISTPACK = 17;
export const RDB_TYPE_LIST_QUICKLIST_2 = 18;
export const RDB_TYPE_STREAM_LISTPACKS_2 = 19;
export const RDB_TYPE_SET_LISTPACK = 20;
export const RDB_TYPE_STREAM_LISTPACKS_3 = 21;

/** The names that redis-check-rdb gives the types, by their numbers; '' for a number that is not used. */
export const RDB_TYPE_NAMES: readonly string[] = [
	'string',
	'list-linked',
	'set-hashtable',
	'zset-v1',
	'hash-hashtable',
	'zset-v2',
	'module-pre-release',
	'module-value',
	'',
	'hash-zipmap',
	'list-ziplist',
	'set-intset',
	'zset-ziplist',
	'hash-ziplist',
	'quicklist',
	'stream',
	'hash-listpack',
	'zset-listpack',
	'quicklist-v2',
	'stream-v2',
	'set-listpack',
	'stream-v3',
];

export const RDB_OPCODE_FUNCTION2 = 245;
export const RDB_OPCODE_FUNCTION_PRE_GA = 246;
export const RDB_OPCODE_MODULE_AUX = 247;
export const RDB_OPCODE_IDLE = 248;
export const RDB_OPCODE_FREQ = 249;
export const RDB_OPCODE_AUX = 250;
export const RDB_OPCODE_RESIZEDB = 251;
export const RDB_OPCODE_EXPIRETIME_MS = 252;
export const RDB_OPCODE_EXPIRETIME = 253;
export const RDB_OPCODE_SELECTDB = 254;
export const RDB_OPCODE_EOF = 255;

/** The two highest bits of the first byte of a length. */
export const RDB_LENGTH_6BIT = 0;
export const RDB_LENGTH_14BIT = 1;
export const RDB_LENGTH_ENCODED = 3;
/** The whole first byte where 4 or 8 bytes follow, high byte first. */
export const RDB_LENGTH_32BIT = 0x80;
export const RDB_LENGTH_64BIT = 0x81;

/** The low 6 bits of an encoded length: what follows in the place of a string. */
export const RDB_ENCODING_INT8 = 0;
export const RDB_ENCODING_INT16 = 1;
export const RDB_ENCODING_INT32 = 2;
export const RDB_ENCODING_LZF = 3;

/** What stands for these doubles in the place of a text's length (RDB_TYPE_ZSET). */
export const RDB_DOUBLE_NAN = 253;
export const RDB_DOUBLE_INFINITY = 254;
export const RDB_DOUBLE_NEGATIVE_INFINITY = 255;

/** What comes next in a value of a module. */
export const RDB_MODULE_OPCODE_EOF = 0;
export const RDB_MODULE_OPCODE_SINT = 1;
export const RDB_MODULE_OPCODE_UINT = 2;
export const RDB_MODULE_OPCODE_FLOAT = 3;
export const RDB_MODULE_OPCODE_DOUBLE = 4;
export const RDB_MODULE_OPCODE_STRING = 5;

/** The containers of RDB_TYPE_LIST_QUICKLIST_2: an element of its own, or a listpack. */
export const RDB_CONTAINER_PLAIN = 1;
export const RDB_CONTAINER_PACKED = 2;
