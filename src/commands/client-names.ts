/** The rule for what CLIENT SETNAME, SETINFO and HELLO take as a name: printable ASCII without spaces. */
export function isValidClientName(name: string): boolean {
	for (let i = 0; i < name.length; i++) {
		const code = name.charCodeAt(i);
		if (code < 33 || code > 126) return false;
	}
	return true;
}
