// Elements without HTML in strings: what rooms say is text, never markup.
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((one) => one != null));
  return made;
}

// Put `children` in place of what is there; the focus stays on the element with the same id or data-key.
export function replace(parent, ...children) {
  const active = document.activeElement;
  const key = parent.contains(active) ? active.dataset.key : undefined;
  parent.replaceChildren(...children.filter((one) => one != null));
  if (key) parent.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

// Have exactly these elements in it, in this order; those that are there already are not touched.
export function arrange(parent, elements) {
  if (elements.length === parent.childNodes.length && elements.every((one, at) => one === parent.childNodes[at])) return;
  for (const one of [...parent.childNodes]) if (!elements.includes(one)) one.remove();
  elements.forEach((one, at) => { if (parent.childNodes[at] !== one) parent.insertBefore(one, parent.childNodes[at] ?? null); });
}
