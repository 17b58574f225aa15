import { html, Markup, type Content } from './markup.ts'
import { style } from './style.ts'

/** A whole HTML page that loads nothing and needs no script. */
export function htmlDocument(title: string, main: Content): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <style>
          ${new Markup(style)}
        </style>
      </head>
      <body>
        <main>${main}</main>
      </body>
    </html> `.text
}
