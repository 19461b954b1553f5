"""Which pixels of an image counted for a class, according to several methods; the only home of captum."""
