/**
 * Returns the folder of the built page: index.html, icon.svg, page.js, page.css and charts.js.
 * `root` is the checkout.
 */
export function builtPage(root?: string): Promise<string>
