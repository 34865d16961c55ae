import { BrowserWindow, session } from 'electron'
import type { Session, WebContents } from 'electron'
import { MainError } from '../api/errors.ts'
import { lockDown } from '../window/window.ts'
import type { PagePrinter } from './handlers.ts'

/** An address that says nothing of the page: what fails to load is named in errors. */
const scheme = 'holdfast-page'
const address = `${scheme}://page/`

/** Somebody who has left the print dialog open has gone. */
const printMs = 10 * 60_000

/** One page at a time: it is served to its own session, and to nobody any more when it is done. */
let serving = false

/** Pages are shown to nobody, run no script and reach nothing; neither they nor what is made of them is in a file here. */
export const pagePrinter: PagePrinter = {
  pdf: (html) => withPage(html, (contents) => contents.printToPDF({ printBackground: true, preferCSSPageSize: true })),
  print: (html) => withPage(html, (contents) => new Promise((resolve) => {
    const timer = setTimeout(() => { resolve(false) }, printMs)
    contents.print({ silent: false, printBackground: true }, (done) => {
      clearTimeout(timer)
      resolve(done)
    })
  })),
}

async function withPage<T>(html: string, use: (contents: WebContents) => Promise<T>): Promise<T> {
  if (serving) throw new MainError('busy', 'A page is being printed.', { dialog: true })
  serving = true
  const own = pageSession()
  own.protocol.handle(scheme, () => new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' } }))
  const window = new BrowserWindow({
    show: false,
    webPreferences: { session: own, javascript: false, sandbox: true, contextIsolation: true, nodeIntegration: false, webviewTag: false, spellcheck: false, devTools: false },
  })
  try {
    lockDown(window.webContents)
    await window.loadURL(address)
    return await use(window.webContents)
  } finally {
    window.destroy()
    own.protocol.unhandle(scheme)
    serving = false
  }
}

/** In memory alone. */
function pageSession(): Session {
  const own = session.fromPartition('recovery-kit', { cache: false })
  own.webRequest.onBeforeRequest(({ url }, answer) => { answer({ cancel: !url.startsWith(`${scheme}:`) }) })
  return own
}
