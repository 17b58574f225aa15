import 'report-style.css'
import './style.css'
import { render } from 'preact'
import { App } from './shell/app.tsx'
import { applyStoredTheme } from './shell/theme.ts'
import { sourceOfPage } from './source/browser.ts'

const page = document.getElementById('page')
if (!page) throw new Error('index.html has no element with the id `page`; expected one.')
applyStoredTheme()
render(<App source={sourceOfPage()} />, page)
