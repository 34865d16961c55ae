import { shellWord } from './shell-word.ts'
import { renderSVG } from 'uqr'

/** What a recovery kit says. */
export interface KitFacts {
  /** Address of the repository, without secrets. */
  readonly address: string
  readonly repositoryId: string
  /** Name of the key object that the words open: who revokes the kit names it. */
  readonly keyName: string
  /** From recoveryWords. */
  readonly words: string
  /** ms since 1970. */
  readonly createdMs: number
  /** What the storage asks for beside the address, as people know it; empty for a folder. */
  readonly storageSecrets: readonly string[]
  /** Name and version of the program. */
  readonly program: string
}

const style = `
  @page { size: A4; margin: 14mm }
  * { box-sizing: border-box }
  body { font: 11pt/1.45 system-ui, sans-serif; color: #111; background: #fff; max-width: 180mm; margin: 0 auto; padding: 8mm 4mm }
  h1 { font-size: 20pt; margin: 0 0 1mm } h2 { font-size: 12pt; margin: 6mm 0 1mm } p { margin: 0 0 2mm }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 1mm 5mm; margin: 4mm 0 }
  dt { color: #555 } dd { margin: 0; font-family: ui-monospace, monospace; overflow-wrap: anywhere }
  .key { display: grid; grid-template-columns: 1fr 42mm; gap: 6mm; border: 0.4mm solid #111; border-radius: 2mm; padding: 4mm; align-items: center }
  ol.words { columns: 3; margin: 0; padding-left: 7mm; font: 13pt/1.7 ui-monospace, monospace }
  ol.steps { margin: 0; padding-left: 6mm } code { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
  svg { width: 42mm; height: 42mm; display: block }
`

/**
 * The recovery kit as one printable page of HTML: complete in itself, without scripts, and nothing in it is fetched from anywhere. Holds the recovery
 * words, in plain sight: whoever makes it decides where it goes.
 */
export function kitPage(facts: KitFacts): string {
  const words = facts.words.split(' ').map((word) => `<li>${escaped(word)}</li>`).join('')
  const secrets = facts.storageSecrets.map(escaped).join(', ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>Holdfast recovery kit</title>
<style>${style}</style>
</head>
<body>
<h1>Recovery kit</h1>
<p>With this page you get your files back when the computer, its settings and the password are gone. Print it, and keep it where you keep passports and contracts, not beside the computer.</p>
<dl>
<dt>Backups are at</dt><dd>${escaped(facts.address)}</dd>
<dt>Repository</dt><dd>${escaped(facts.repositoryId)}</dd>
<dt>Made</dt><dd>${escaped(new Date(facts.createdMs).toISOString().slice(0, 10))} by ${escaped(facts.program)}</dd>
<dt>Number of this kit</dt><dd>${escaped(facts.keyName.slice(0, 8))}</dd>
</dl>
<h2>Recovery key</h2>
<div class="key"><ol class="words">${words}</ol>${renderSVG(facts.words, { ecc: 'M', border: 2 })}</div>
<p>The code holds the same words. Capital letters and what stands between the words do not matter; the first four letters of each are enough.</p>
<h2>How to restore</h2>
<ol class="steps">
<li>Install Holdfast on any computer.${secrets === '' ? '' : ` You also need access to the storage: ${secrets}. It is not on this page.`}</li>
<li>Open it and choose <b>Restore from a backup</b>. Type the address as it stands above (a folder is then chosen), and the recovery words in place of the password.</li>
<li>It shows the backups of all computers that back up there. Choose what to restore, and where to.</li>
</ol>
<p>On the command line, which asks for the password and takes the words:</p>
<p><code>holdfast snapshots --repo ${escaped(shellWord(facts.address))}</code><br><code>holdfast restore latest --repo ${escaped(shellWord(facts.address))} --to restored</code><br><code>holdfast machines --repo ${escaped(shellWord(facts.address))}</code> shows the jobs that there were, and how to go on with them.</p>
<h2>Keep it safe</h2>
<p>Who has this page and can reach the storage can read all your backups. If it is lost, make another kit and take this one's key away: <code>holdfast key remove ${escaped(facts.keyName.slice(0, 8))}</code></p>
</body>
</html>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
