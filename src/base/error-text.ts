/**
 * What the C library says about an error number, for log lines and replies that quote it as Redis does. Node.js has
 * only libuv's wording ("no space left on device"), which differs in case and sometimes in words.
 * Source: strerror(3) of glibc.
 */

const TEXT_BY_CODE: Readonly<Record<string, string>> = {
	EACCES: 'Permission denied',
	EADDRINUSE: 'Address already in use',
	EADDRNOTAVAIL: 'Cannot assign requested address',
	EAGAIN: 'Resource temporarily unavailable',
	EBADF: 'Bad file descriptor',
	EBUSY: 'Device or resource busy',
	ECONNREFUSED: 'Connection refused',
	ECONNRESET: 'Connection reset by peer',
	EDQUOT: 'Disk quota exceeded',
	EEXIST: 'File exists',
	EFBIG: 'File too large',
	EINTR: 'Interrupted system call',
	EINVAL: 'Invalid argument',
	EIO: 'Input/output error',
	EISDIR: 'Is a directory',
	ELOOP: 'Too many levels of symbolic links',
	EMFILE: 'Too many open files',
	ENAMETOOLONG: 'File name too long',
	ENFILE: 'Too many open files in system',
	ENODEV: 'No such device',
	ENOENT: 'No such file or directory',
	ENOMEM: 'Cannot allocate memory',
	ENOSPC: 'No space left on device',
	ENOTDIR: 'Not a directory',
	ENOTEMPTY: 'Directory not empty',
	ENXIO: 'No such device or address',
	EPERM: 'Operation not permitted',
	EPIPE: 'Broken pipe',
	EROFS: 'Read-only file system',
	ETIMEDOUT: 'Connection timed out',
	EXDEV: 'Invalid cross-device link',
};

/** The code of a system error ("ENOSPC"), or '' when it carries none. */
export function errorCode(error: unknown): string {
	const code = (error as { code?: unknown } | null)?.code;
	return typeof code === 'string' ? code : '';
}

/** A system error in the C library's words; anything else by its own message. */
export function errorText(error: unknown): string {
	const known = TEXT_BY_CODE[errorCode(error)];
	if (known !== undefined) return known;
	return error instanceof Error ? error.message : String(error);
}
