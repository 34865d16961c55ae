/** The little of WebAssembly that the chunker uses; its global types come with the DOM's, which the engine does not have. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer
}

declare const WebAssembly: {
  readonly Memory: new (options: { initial: number; maximum: number; shared: true }) => WasmMemory
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object, imports: Record<string, Record<string, WasmMemory>>) => { readonly exports: Record<string, unknown> }
}

/** Shared between threads by posting it; of a fixed size in pages of 64 KiB. */
export function sharedMemory(pages: number): WasmMemory {
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
}

/** Runs a module on a memory, imported as `holdfast.memory`. @returns its exports. */
export function instantiate(code: Uint8Array, memory: WasmMemory): Record<string, unknown> {
  return new WebAssembly.Instance(new WebAssembly.Module(code), { holdfast: { memory } }).exports
}
