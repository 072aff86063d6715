// Not a module: it runs before the first paint, so that the page never flashes in the other theme.
{
  let chosen = null;
  try {
    chosen = localStorage.getItem("pentimento.theme");
  } catch {
    // A browser that keeps nothing: the system's theme it is.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
