// The on-site inbox on any page: a bell, and the list behind it. serve_inbox serves it squeezed (pages/inbox_script.py).
//
//     <script src="https://…/v1/inbox.js" data-key="…" data-user="…" data-hash="…" async></script>
//
// The bell stands where the script stands. All is e of texts in a shadow tree: nothing of a message is read as HTML, and no style is
// inline, so that a strict Content-Security-Policy has nothing to refuse. `el` makes an element, `run` shows what a call found.
(() => {
  const me = document.currentScript, my = me.dataset
  if (!my.user) return
  const zh = /^zh/i.test(my.lang || document.documentElement.lang || navigator.language)
  const [INBOX, NEW, NONE, OPEN, DISMISS, STOP, CLOSE, LATER, GONE] = (zh
    ? "消息,条未读,没有消息,查看,删除,退订,关闭,暂时无法连接,已删除"
    : "Messages,unread,No messages,Open,Dismiss,Unsubscribe,Close,Not available,Dismissed").split(",")
  const el = (tag, set, ...kids) => {
    const e = Object.assign(document.createElement(tag), set)
    e.append(...kids)
    return e
  }
  // a text needs no preflight; with keepalive it arrives although the page is left
  const ask = async (act, ids) => {
    const body = JSON.stringify({writeKey: my.key, userId: my.user, userHash: my.hash, ids})
    const got = await fetch(new URL("inbox/" + act, me.src), {method: "POST", keepalive: true, body})
    return got.ok ? got.json() : Promise.reject()
  }
  const count = el("b"), list = el("ul"), note = el("output")
  const bell = el("button", {ariaExpanded: false, onclick: () => show(panel.hidden)}, INBOX + " ", count)
  const panel = el("section", {role: "dialog", ariaLabel: INBOX, tabIndex: -1, hidden: true},
    el("button", {onclick: () => show()}, CLOSE), note, list)
  const host = el("span", {lang: zh ? "zh-CN" : "en"}), root = host.attachShadow({mode: "open"}), style = new CSSStyleSheet
  style.replaceSync(`
    :host{font:16px/1.5 system-ui}
    button,section{border:1px solid;border-radius:8px;padding:0 12px}
    button{font:inherit;min-height:44px}
    b{background:#b00;color:#fff;border-radius:9px;padding:0 6px}
    b:empty{display:none}
    section{position:fixed;top:8px;right:8px;z-index:9;width:min(336px,100vw - 42px);max-height:90vh;overflow:auto;color-scheme:light dark;background:Canvas;color:CanvasText;overflow-wrap:anywhere}
    section>button{float:right;margin:8px 0}
    h3,p,ul{font-size:1em;margin:4px 0;padding:0;white-space:pre-line}
    output{line-height:60px}
    li{list-style:none;border-top:1px solid;padding:8px 0}
    .new:before{content:"● ";float:left}
    a{padding:9px 12px 9px 0}`)
  root.adoptedStyleSheets = [style]
  root.append(bell, panel)

  const run = async act => {
    try {
      const n = await act()
      count.textContent = n || ""
      bell.ariaLabel = n ? `${INBOX}, ${n} ${NEW}` : INBOX
    } catch {
      note.textContent = LATER
    }
  }
  const row = m => {
    const li = el("li", {className: m.seen || "new"}, el("h3", {}, m.title),
      el("time", {}, new Date(m.sent_at).toLocaleDateString(host.lang)), el("p", {}, m.text))
    const add = (tag, text, set) => li.append(el(tag, {ariaLabel: `${text}: ${m.title}`, ...set}, text))
    if (m.link) add("a", OPEN, {href: m.link})
    if (m.unsubscribe) add("a", STOP, {href: m.unsubscribe})
    add("button", DISMISS, {onclick: () => run(async () => {
      const {unseen} = await ask("dismissed", [m.id]), next = li.nextSibling || li.previousSibling
      li.remove()
      note.textContent = GONE
      ;(next ? next.lastChild : panel).focus()
      return unseen
    })})
    return li
  }
  const load = () => run(async () => {
    const {messages, unseen} = await ask("list"), ids = messages.filter(m => !m.seen).map(m => m.id)
    list.replaceChildren(...messages.map(row))
    note.textContent = messages[0] ? INBOX : NONE
    return panel.hidden || !ids[0] ? unseen : (await ask("seen", ids)).unseen
  })
  const show = (open = false) => {
    panel.hidden = !open
    bell.ariaExpanded = open
    ;(open ? panel : bell).focus()
    if (open) load()
  }
  host.onkeydown = e => { if (e.key == "Escape") show() }
  me.after(host)
  load()
})()
