import { mount } from 'svelte'
import '../../../renderer/language.ts'
import '../../../renderer/style/tokens.css'
import '../../../renderer/style/base.css'
import App from '../../../renderer/App.svelte'
import { FakeApi, type Scenario } from '../fake-api.ts'

declare global {
  interface Window {
    /** For tests: the main process that the window talks to. */
    fake: FakeApi
  }
}

const query = new URLSearchParams(location.search)
window.fake = new FakeApi((query.get('scenario') ?? 'idle') as Scenario, Date.now())
if (query.get('direction') === 'rtl') document.documentElement.dir = 'rtl'
mount(App, { target: document.body, props: { bridge: window.fake } })
