import { browse } from '../../servers/oauth.ts'
import type { RunningApp } from './app.ts'

/** The system's browser: hears what the app tells it to open, and somebody in front of it answers at once. */
export interface FakeBrowser {
  /** Addresses that it was told to open. */
  opened(): Promise<readonly string[]>
  /** Goes to the newest address and on to where it leads, as a browser does. @returns the text of the page at the end */
  visit(): Promise<string>
}

/** Takes the place of the system's browser, from now on. */
export async function openFakeBrowser(app: RunningApp): Promise<FakeBrowser> {
  await app.electron.evaluate(({ shell }) => {
    const opened: string[] = []
    Reflect.set(globalThis, 'openedInBrowser', opened)
    shell.openExternal = (address) => {
      opened.push(address)
      return Promise.resolve()
    }
  })
  const opened = (): Promise<readonly string[]> => app.electron.evaluate(() => [...(Reflect.get(globalThis, 'openedInBrowser') as string[])])
  return {
    opened,
    async visit() {
      const address = (await opened()).at(-1)
      if (address === undefined) throw new Error('the browser was not told to open anything')
      return (await browse(address)).text
    },
  }
}
