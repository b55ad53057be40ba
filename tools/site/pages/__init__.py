"""The pages of the site: one module for each section of its navigation.

A section is a module with

- `FIRST`: its first page, a file of the source folder, such as "measured.md" or "lessons/index.md";
- `SHOWS`: {file of the repository: page that shows it}, so that links to this file become links to that page;
- `pages(course)`: {file of the source folder: its content}, pages in MyST Markdown and what they show.

Pages link to files of the repository as these link to each other: see `tools.site.links`.
"""
