// Light or dark: as the system says, unless the person has chosen.
import { label } from './dom.js';

const system = matchMedia('(prefers-color-scheme: dark)');
const chosen = () => localStorage.getItem('theme');
const isDark = () => (chosen() ?? (system.matches ? 'dark' : 'light')) === 'dark';

export function themeButton(button) {
	const apply = () => {
		document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
		label(button, isDark() ? 'sun' : 'moon', isDark() ? 'Light colours' : 'Dark colours');
	};
	button.addEventListener('click', () => {
		localStorage.setItem('theme', isDark() ? 'light' : 'dark');
		apply();
	});
	system.addEventListener('change', apply);
	apply();
}
