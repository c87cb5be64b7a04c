// What the page looks like and its one script, as constants: the page's Content-Security-Policy names their hashes, so
// that nothing else runs in it. All contrasts are at least 4.5 to 1, in both schemes.

export const pageStyle = `
:root{color-scheme:light dark;--ground:#fff;--panel:#f5f7f9;--line:#d9dfe5;--ink:#16202a;--quiet:#56636f;--link:#00647d;--mark:#00add8}
@media(prefers-color-scheme:dark){:root{--ground:#0f1418;--panel:#182026;--line:#2c3740;--ink:#e4eaef;--quiet:#9aa8b4;--link:#5dcdec}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
header,main,footer{max-width:60rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem}
h1{display:flex;align-items:center;gap:.6rem;margin:0;font-size:1.75rem;line-height:1.2;letter-spacing:-.02em}
h1 svg{width:1.9rem;height:1.9rem;flex:none}
h2{margin:2.5rem 0 .75rem;font-size:1.15rem}
p{margin:.6rem 0;max-width:44rem}
.quiet{color:var(--quiet)}
a{color:var(--link);text-underline-offset:.15em}
a:focus-visible,button:focus-visible,input:focus-visible,pre:focus-visible{outline:2px solid var(--mark);outline-offset:2px}
code,pre{font:.875em/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
p code{padding:.1em .3em;border-radius:4px;background:var(--panel);overflow-wrap:anywhere}
.paste{display:flex;align-items:flex-start;gap:.5rem;margin:.75rem 0;padding:.5rem;border:1px solid var(--line);border-radius:8px;background:var(--panel)}
pre{flex:1;min-width:0;margin:0;padding:.3rem .5rem;font-size:.9375rem;overflow-x:auto}
button{padding:.35rem .8rem;border:1px solid var(--line);border-radius:6px;background:var(--ground);color:var(--ink);font:inherit;font-size:.875rem;cursor:pointer}
button:hover{border-color:var(--quiet)}
form{display:flex;gap:.5rem;margin:.75rem 0}
input{flex:1;min-width:0;padding:.45rem .75rem;border:1px solid var(--line);border-radius:6px;background:var(--ground);color:inherit;font:inherit}
input::placeholder{color:var(--quiet);opacity:1}
form button{padding:.45rem 1rem;font-size:1rem}
ul.modules{list-style:none;margin:.75rem 0;padding:0;border:1px solid var(--line);border-radius:8px}
ul.modules li{display:flex;flex-wrap:wrap;align-items:baseline;gap:.1rem 1rem;padding:.5rem 1rem;border-top:1px solid var(--line)}
ul.modules li:first-child{border-top:0}
ul.modules .path{flex:1 1 20rem;min-width:0;overflow-wrap:anywhere;font:.875rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
ul.modules .versions,ul.modules .more{display:flex;flex-wrap:wrap;gap:.1rem .6rem;font-size:.875rem}
ul.modules a{text-decoration:none}
ul.modules a:hover{text-decoration:underline}
footer{margin-top:2.5rem;padding-top:1rem;padding-bottom:2.5rem;font-size:.875rem;color:var(--quiet)}
footer a{margin-right:1rem}
`;

/** Adds a button that copies each block of lines, where the browser lets a page copy. */
export const pageScript = `
if(navigator.clipboard)for(const block of document.querySelectorAll(".paste")){
const button=document.createElement("button");button.type="button";button.textContent="Copy";
button.addEventListener("click",()=>navigator.clipboard.writeText(block.querySelector("pre").textContent.trim()+"\\n").then(()=>{button.textContent="Copied";setTimeout(()=>{button.textContent="Copy"},1500)},()=>{button.textContent="Not allowed"}));
button.setAttribute("aria-live","polite");block.append(button)}
`;
