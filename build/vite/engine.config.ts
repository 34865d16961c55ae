import { globSync } from 'node:fs'
import type { InlineConfig } from 'vite'
import { inlinedImports, isInlined } from './inlined.ts'

/**
 * Builds the engine and the command line for Node 24 as ES modules, one output file for each source file: a worker is then
 * found beside the module that starts it (`new URL('./worker' + extname, import.meta.url)`) before and after the build.
 * Packages stay outside (better-sqlite3 finds its native part by its own path), but for what inlined.ts has.
 */
export function engineConfig(root: string): InlineConfig {
  const workers = globSync('engine/**/*worker.ts', { cwd: root })
  return {
    root,
    configFile: false,
    logLevel: 'warn',
    ssr: { external: true, target: 'node' },
    plugins: [inlinedImports(root)],
    build: {
      ssr: true,
      target: 'node24',
      outDir: 'dist/engine',
      emptyOutDir: false,
      minify: false,
      sourcemap: true,
      rolldownOptions: {
        input: ['engine/engine.ts', 'engine/cli.ts', ...workers],
        external: (id) => /^(node:|[^./\0])/.test(id) && !isInlined(id),
        output: {
          format: 'esm',
          preserveModules: true,
          preserveModulesRoot: 'engine',
          entryFileNames: '[name].js',
        },
      },
    },
  }
}
