// @ts-check
/** dependency-cruiser's rules, made from the one layer table. */
const { layers } = require('./layers.js')

/** The folders below `layer` that are layers of their own, so that their files are not its own. */
const inner = (layer) => Object.keys(layers).filter((other) => other.startsWith(`${layer}/`))
const own = (layer) => ({ path: `^${layer}/`, ...(inner(layer).length ? { pathNot: inner(layer).map((one) => `^${one}/`) } : {}) })

/** One `forbidden` rule for each pair of layers that may not meet. */
function layerRules() {
  const names = Object.keys(layers)
  return names.filter((from) => from !== 'test').flatMap((from) =>
    names.filter((to) => to !== from && !layers[from].may.includes(to)).map((to) => {
      const typesOnly = layers[from].types?.includes(to)
      return {
        name: `${from} must not import ${to}${typesOnly ? ' (types are fine)' : ''}`,
        severity: 'error',
        from: own(from),
        to: { ...own(to), ...(typesOnly ? { dependencyTypesNot: ['type-only'] } : {}) },
      }
    }),
  )
}

module.exports = {
  forbidden: [
    ...layerRules(),
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'electron only in main', severity: 'error', from: { pathNot: '^(main/|(build/runtime|test)/.*[.]cjs$)' }, to: { path: '(^|/)node_modules/electron/|^electron$' } },
    { name: 'no unresolvable import', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'product code needs only dependencies',
      severity: 'error',
      from: { path: '^engine/' },
      // Single files of googleapis are part of what is built: build/vite/inlined.ts.
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'], pathNot: '^node_modules/googleapis/build/src/apis/[a-z]+/v[0-9]+[.]js$' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.cjs', '.svelte', '.json'], exportsFields: ['exports'], conditionNames: ['import', 'node', 'svelte', 'default', 'types'] },
  },
}
