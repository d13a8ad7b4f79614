"""Pictures: Vega-Lite charts through Altair and drawn maps as SVG, all rendered without a browser or a network."""
