/** What is used of WebAssembly, which the type package of Node.js leaves out. */
declare namespace WebAssembly {
	class Module {
		/** Compiles at once; for small modules. */
		constructor(bytes: Uint8Array);
	}
	class Instance {
		constructor(module: Module);
		readonly exports: Readonly<Record<string, unknown>>;
	}
}
