"""Recipe "auto": decides by cross-validation on the pooled features of the pretrained network."""
