/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page for browsers: asks for name and password, shows the screen by noVNC, and says why a
 * session ended. It keeps nothing: no cookie, no storage, no password behind the login.
 */
import RFB from "novnc/rfb.js";
import { texts, ends } from "./texts.js";

/* X11 keysyms of keys that browsers name in several ways, by KeyboardEvent.key. */
const JAPANESE_KEYS = new Map([
	["Zenkaku", 0xff2a], ["Hankaku", 0xff2a], ["ZenkakuHankaku", 0xff2a], ["KanjiMode", 0xff2a],
]);
const HANDSHAKE_REASONS = new Set(["viewer-protocol", "tls-failed", "internal-error", "record-violation"]);

const element = (id) => document.getElementById(id);
let language = (navigator.language || "ja").startsWith("ja") ? "ja" : "en";
let rfb = null;
let reason = null; /* of the end shown last: so that it can be shown in the other language */

function showTexts() {
	document.documentElement.lang = language;
	for (const node of document.querySelectorAll("[data-text]"))
		node.textContent = texts[language][node.dataset.text];
	element("language").textContent = language === "ja" ? "English" : "日本語";
	element("message").textContent = reason === null ? "" : endText();
}

function endText() {
	if (HANDSHAKE_REASONS.has(reason))
		return `${ends[language].fault} (${reason})`;
	return ends[language][reason] || ends[language].lost;
}

function showEntrance(why) {
	reason = why;
	rfb = null;
	if (document.fullscreenElement)
		document.exitFullscreen();
	element("screen").replaceChildren();
	element("session").hidden = true;
	element("entrance").hidden = false;
	element("connect").disabled = false;
	showTexts();
	element("password").focus();
}

function showScreen() {
	element("entrance").hidden = true;
	element("session").hidden = false;
	rfb.focus();
}

/* The gateway closes the connection with the name of the reason; without one it broke. */
function begin(username, password) {
	const socket = new WebSocket(`wss://${location.host}/session`, ["binary"]);

	socket.addEventListener("close", (event) => showEntrance(event.reason || "lost"));
	rfb = new RFB(element("screen"), socket, { credentials: { username, password } });
	rfb.scaleViewport = true;
	rfb.addEventListener("connect", showScreen);
	rfb.addEventListener("desktopname", (event) => {
		element("recorded").hidden = !event.detail.name.includes("recorded"); /* VIEWER_NAME_RECORDED */
		element("watchable").hidden = !event.detail.name.includes("may be watched"); /* VIEWER_NAME_WATCHABLE */
	});
}

function onSubmit(event) {
	event.preventDefault();
	element("connect").disabled = true;
	element("message").textContent = texts[language].waiting;
	begin(element("name").value, element("password").value + element("code").value);
	element("password").value = element("code").value = "";
}

/* Before noVNC sees it: what a browser calls a key must not depend on the browser. */
function onJapaneseKey(event) {
	const keysym = JAPANESE_KEYS.get(event.key);

	if (rfb === null || keysym === undefined)
		return;
	event.preventDefault();
	event.stopImmediatePropagation();
	/* Of these keys some systems report presses alone, some a release at once. */
	if (event.type === "keydown" && !event.repeat) {
		rfb.sendKey(keysym, event.code, true);
		rfb.sendKey(keysym, event.code, false);
	}
}

element("login").addEventListener("submit", onSubmit);
element("language").addEventListener("click", () => {
	language = language === "ja" ? "en" : "ja";
	showTexts();
});
element("leave").addEventListener("click", () => rfb && rfb.disconnect());
element("fullscreen").addEventListener("click", () => {
	element("session").requestFullscreen({ navigationUI: "hide" }).then(() => rfb && rfb.focus());
});
for (const type of ["keydown", "keyup"])
	element("screen").addEventListener(type, onJapaneseKey, { capture: true });
showTexts();
element("name").focus();
