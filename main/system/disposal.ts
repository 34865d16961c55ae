/** Electron before 28 has no `Symbol.dispose`. Classes name methods by it, so this comes before any other import. */
for (const name of ['dispose', 'asyncDispose'] as const) {
  if (!Reflect.has(Symbol, name)) Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) })
}

export {}
