// What both panels share: loading plotly.js, the look of the axes, one queue for slow updates.

/** Where Streamlit serves from, also behind a proxy with a base path. */
export function serverBase() {
  const script = document.querySelector('script[src*="static/js/"]');
  return script ? script.src.replace(/static\/js\/.*$/, "") : new URL(".", document.baseURI).href;
}

let loading = null;

/** plotly.js, loaded once, without leaving it behind as the page's own window.Plotly. */
export function loadPlotly(url) {
  loading ??= new Promise((resolve, reject) => {
    const own = Object.getOwnPropertyDescriptor(window, "Plotly");
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => {
      const plotly = window.Plotly;
      delete window.Plotly;
      if (own) Object.defineProperty(window, "Plotly", own);
      resolve(plotly);
    };
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new Error(`plotly.js did not load from ${url}`));
    };
    document.head.append(script);
  });
  return loading;
}

/** Column names come from people's files: Plotly must not read them as markup. */
export function escapeText(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function plotConfig() {
  return {
    displaylogo: false,
    showSendToCloud: false,
    typesetMath: false, // a "$" in a column name is a dollar
    responsive: false,
    scrollZoom: false,
    doubleClick: "reset",
    displayModeBar: matchMedia("(hover: hover)").matches ? "hover" : false,
    modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
  };
}

export function baseLayout(theme, width, height) {
  return {
    width,
    height,
    margin: { l: 58, r: 10, t: 8, b: 46 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: theme.font, size: 13, color: theme.text },
    showlegend: false,
    hovermode: false,
    // On a touch screen a finger on the plot must still scroll the page.
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.muted, activecolor: theme.primary },
  };
}

export function axisTitle(text) {
  return { text, standoff: 8, font: { size: 14 } };
}

export function axisStyle(theme) {
  return {
    type: "linear",
    zeroline: false,
    gridcolor: theme.faint,
    linecolor: theme.border,
    showline: true,
    ticks: "",
    tickfont: { size: 12, color: theme.muted },
    exponentformat: "none",
    separatethousands: true,
    automargin: true,
    nticks: 7,
  };
}
