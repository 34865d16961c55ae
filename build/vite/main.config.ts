import { builtinModules } from 'node:module'
import type { InlineConfig } from 'vite'

const builtins = builtinModules.flatMap((name) => [name, `node:${name}`])

/** A session bus that only an X display knows of is looked for with it; main speaks to the system bus alone. */
const neverLoaded = ['x11']

/**
 * Builds one entry of main/ as CommonJS: a sandboxed preload can be nothing else, and Electron before 28 has no ESM main.
 * All packages are bundled, so that a packaged main loads two files and no node_modules. The preload is its own build,
 * because a sandboxed preload cannot load a shared chunk.
 */
export function mainConfig(root: string, entry: 'main' | 'preload'): InlineConfig {
  return {
    root,
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true, target: 'node' },
    resolve: { external: ['electron', ...neverLoaded, ...builtins] },
    build: {
      ssr: true,
      target: entry === 'main' ? 'node18' : 'chrome114',
      outDir: 'dist/main',
      emptyOutDir: false,
      minify: false,
      sourcemap: true,
      rolldownOptions: {
        input: { [entry]: `main/${entry}.ts` },
        external: ['electron', ...neverLoaded, ...builtins],
        output: { format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false },
      },
    },
  }
}
