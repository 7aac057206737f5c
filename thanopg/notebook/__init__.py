"""The notebook's shell: `%load_ext thanopg`, then `%thanosql` and `%%thanosql`. The only room that imports IPython."""
