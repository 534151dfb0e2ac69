"""The lesson on a spec: a page that shows how each of its steps becomes the same twice."""
