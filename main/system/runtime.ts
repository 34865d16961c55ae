/** The oldest major version of Electron that still got security fixes when the pinned one came out: the newest three are kept up. */
export const oldestSupportedElectron = 43

/** Whether the app runs in an Electron that gets no security fixes any more. */
export function isOldRuntime(version: string | undefined): boolean {
  return !(Number.parseInt(version ?? '', 10) >= oldestSupportedElectron)
}

/** What ends the version of a package that is for tests alone (build/scripts/package.ts). */
const testSuffix = '-for-tests'

/** Whether helpers of tests may reach in: unpackaged, or packaged for tests and called so. */
export function isForTests(app: { readonly isPackaged: boolean; getVersion(): string }): boolean {
  return !app.isPackaged || app.getVersion().endsWith(testSuffix)
}
