/**
 * Cuts a failing program down (delta debugging, Zeller's ddmin): tries to leave out ever smaller parts for as
 * long as it still fails, and stops when no single step can go, or time is up.
 */
export async function minimise<T>(
	program: readonly T[],
	fails: (candidate: readonly T[]) => Promise<boolean>,
	budgetMs: number,
): Promise<readonly T[]> {
	const deadlineMs = Date.now() + budgetMs;
	let current = program;
	let chunkSize = Math.ceil(current.length / 2);
	while (chunkSize >= 1) {
		let hasShrunk = false;
		// From the end, where the steps are that the failure is least likely to need.
		for (let end = current.length; end > 0; end -= chunkSize) {
			if (Date.now() > deadlineMs) return current;
			const candidate = [...current.slice(0, Math.max(0, end - chunkSize)), ...current.slice(end)];
			if (candidate.length > 0 && (await fails(candidate))) {
				current = candidate;
				hasShrunk = true;
			}
		}
		if (chunkSize === 1 && !hasShrunk) break;
		if (chunkSize > 1 || !hasShrunk) chunkSize = chunkSize === 1 ? 0 : Math.ceil(chunkSize / 2);
	}
	return current;
}
