import { mount } from 'svelte'
import './language.ts'
import './style/tokens.css'
import './style/base.css'
import App from './App.svelte'

mount(App, { target: document.body, props: { bridge: window.holdfast } })
