/** What the browser shows when it comes back, or an address that nobody waits for is opened. */
export type Page = 'signed-in' | 'refused' | 'failed' | 'used' | 'unknown'

const texts: Readonly<Record<Page, readonly [title: string, next: string]>> = {
  'signed-in': ['You are signed in', 'Close this page and go back to Holdfast.'],
  refused: ['Nothing was allowed', 'Holdfast may not use the account. Close this page; to try again, start the sign-in in Holdfast once more.'],
  failed: ['The sign-in did not work', 'Close this page and go back to Holdfast: it says why, and what to do.'],
  used: ['This page was used already', 'Close it and go back to Holdfast.'],
  unknown: ['Nobody waits for this page', 'To sign in, begin in Holdfast. This page can be closed.'],
}

/** Plain HTML without a word of what came from outside. */
export function callbackPage(page: Page): string {
  const [title, next] = texts[page]
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} – Holdfast</title>
<style>
:root { color-scheme: light dark; }
body { font: 1.125rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 20vh auto 0; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; }
</style>
</head>
<body>
<h1>${title}</h1>
<p>${next}</p>
</body>
</html>
`
}
