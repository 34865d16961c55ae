import type { Notice } from '../api/contract.ts'

/** The oldest major version of Electron that still got security fixes when the pinned one came out: the newest three are kept up. */
export const oldestSupportedElectron = 43

/** Whether the app runs in an Electron that gets no security fixes any more. */
export function isOldRuntime(version: string | undefined): boolean {
  return !(Number.parseInt(version ?? '', 10) >= oldestSupportedElectron)
}

interface WarningPorts {
  readonly log: (level: 'warning', message: string) => void
  readonly show: (notice: Notice) => void
}

/** The runtime that development falls back to gets no security fixes any more: nobody is to take it for the real thing. */
export function warnOfRuntime(isPackaged: boolean, { log, show }: WarningPorts): void {
  const { electron } = process.versions
  if (electron === undefined || !isOldRuntime(electron)) return
  log('warning', `Electron ${electron} gets no security fixes any more: this is for development and tests only`)
  if (isPackaged) show({ id: 'old-runtime', type: 'old-runtime', version: electron })
}

/** What ends the version of a package that is for tests alone (build/scripts/package.ts). */
const testSuffix = '-for-tests'

/** Whether helpers of tests may reach in: unpackaged, or packaged for tests and called so. */
export function isForTests(app: { readonly isPackaged: boolean; getVersion(): string }): boolean {
  return !app.isPackaged || app.getVersion().endsWith(testSuffix)
}
