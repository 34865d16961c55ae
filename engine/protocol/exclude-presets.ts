import type { ExcludePreset } from './job.ts'

/** Folders by name that hold what their programs make again; in gitignore syntax. */
export const presetPatterns: Readonly<Record<ExcludePreset, readonly string[]>> = {
  caches: ['.cache/', 'Caches/', '__pycache__/', '.npm/_cacache/', '.gradle/caches/', '*.pyc', '.ccache/', '.mypy_cache/', '.pytest_cache/'],
  trash: ['.Trash/', '.Trash-*/', '.Trashes/', '.local/share/Trash/', '$RECYCLE.BIN/', 'lost+found/'],
  node_modules: ['node_modules/'],
  nobackup: [],
  nodump: [],
  cachedir: [],
}
